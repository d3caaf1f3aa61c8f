"""The elements, attributes and text of a page, as a browser would see them."""

from html.parser import HTMLParser


class Seen(HTMLParser):
    """The elements, attributes and text that a browser would see."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))

    def handle_data(self, data):
        self.text += data
