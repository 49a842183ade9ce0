def relative_index_width(p, b): return 5
def coding_name(c): return ["constant","packed","huffman","adaptive"][c]
