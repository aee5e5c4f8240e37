"""JPEG XL (ISO/IEC 18181): boxes, the codestream's header and colour profile, and pixels through libjxl.

``imagecodecs`` decodes and encodes pixels of up to 16 bits, but tells and takes no profile, no metadata, no colour
encoding. What it leaves out stands in the first bytes of a file, and is read and written here.
"""
