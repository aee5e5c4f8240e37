"""What a picture is like: content, noise, compression, blur. Every function looks at pixels and returns numbers."""
