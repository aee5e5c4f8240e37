"""Which folders are installed, and where: all below one package, so that none takes a name that others may have."""

from setuptools import find_packages, setup

PACKAGE = "realesrgan_ultimate"
FOLDERS = ("engine", "utils", "api", "ui", "cli", "desktop", "launcher")
inner = find_packages(include=[pattern for folder in FOLDERS for pattern in (folder, f"{folder}.*")])

setup(
    packages=[PACKAGE, *(f"{PACKAGE}.{name}" for name in inner), f"{PACKAGE}.weights"],
    package_dir={PACKAGE: ".", **{f"{PACKAGE}.{folder}": folder for folder in (*FOLDERS, "weights")}},
    package_data={
        f"{PACKAGE}.weights": ["embedded-*.safetensors", "quick-*.safetensors", "README.md"],
        f"{PACKAGE}.engine.analysis": ["*.npz"],
        f"{PACKAGE}.engine.backends.ranges": ["*.npz"],
        f"{PACKAGE}.ui": ["*.css", "*.js"],
        f"{PACKAGE}.ui.samples": ["*.jpg", "*.mp4"],
        f"{PACKAGE}.ui.viewer": ["*.html", "*.css", "*.js"],
        f"{PACKAGE}.ui.notices": ["*.html", "*.css", "*.js"],
        f"{PACKAGE}.ui.page_menu": ["*.html", "*.css", "*.js"],
        f"{PACKAGE}.desktop": ["*.svg", "*.png"],
    },
    include_package_data=False,
)
