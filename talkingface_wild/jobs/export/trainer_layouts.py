"""The layouts by name. A new one is a file beside this one, a line here and a request's name."""

from talkingface_wild.jobs.export.hallo_layout import Hallo
from talkingface_wild.jobs.export.latentsync_layout import LatentSync
from talkingface_wild.jobs.export.musetalk_layout import MuseTalk
from talkingface_wild.jobs.export.stableavatar_layout import StableAvatar
from talkingface_wild.jobs.export.trainer_layout import TrainerLayout
from talkingface_wild.jobs.export.videofolder_layout import VideoFolder
from talkingface_wild.jobs.export.webdataset_layout import WebDataset

LAYOUTS: dict[str, type[TrainerLayout]] = {
    layout.name: layout
    for layout in (LatentSync, Hallo, MuseTalk, StableAvatar, VideoFolder, WebDataset)
}
