"""Read what users give: folders of photographs, tables of metadata, of labels, of lots and of queries, reviews."""
