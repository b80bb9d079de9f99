//! Images: decoding within limits, orientation, resizing, normalising, percentages.
