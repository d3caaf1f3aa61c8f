"""What people look at: HTML pages from templates, one SVG kit, contact sheets, grids."""
