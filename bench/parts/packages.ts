/** Debian packages that benches need: the peers, and what images are made with. */
import type { NeededPackage } from '../../cli/prepare/packages.ts'

const bin = (name: string) => [`/usr/bin/${name}`, `/usr/sbin/${name}`]

export const peerPackages: NeededPackage[] = [
  { name: 'docker.io', files: ['/usr/sbin/dockerd'], why: 'Docker, to compare with' },
  { name: 'podman', files: bin('podman'), why: 'podman, to compare with' },
]

export const imagePackages: NeededPackage[] = [
  { name: 'docker-registry', files: bin('docker-registry'), why: 'the registry that all pull from' },
  { name: 'skopeo', files: bin('skopeo'), why: 'copies images, and is compared with' },
  { name: 'mmdebstrap', files: bin('mmdebstrap'), why: 'makes the Debian root of the images' },
  { name: 'e2fsprogs', files: bin('mkfs.ext4'), why: 'makes the file system that all write to' },
  { name: 'pigz', files: bin('pigz'), why: 'compresses layers as docker build does' },
  { name: 'isal', files: bin('igzip'), why: 'the fastest gunzip, for the floor' },
]
