"""What a container engine does with deploy/docker, done without one: images from Dockerfiles, containers from compose."""
