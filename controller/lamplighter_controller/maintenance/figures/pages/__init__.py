"""The monthly report as people read it: a page, a document, a spreadsheet."""
