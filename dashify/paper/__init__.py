"""What is printed: fonts, lines, sheets and the PDF they end up in. Pure: text comes in, bytes go out."""
