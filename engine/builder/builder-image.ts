/** The image that builds run in. */
import type { Images } from '../images/images.ts'
import type { Spawner } from '../sys/spawner.ts'
import { authoritiesDir, ownDir, registriesFile } from './commands.ts'
import { ensureHostImage } from './host-image.ts'

/** Capabilities of a RUN step: those of every container. */
const containersConf = `[containers]
default_capabilities = [
  "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
]
`

/** Digest of it. Throws unsupported. */
export function ensureBuilderImage(images: Images, spawner: Spawner): Promise<string> {
  return ensureHostImage(images, spawner, {
    name: 'builder.internal/buildah',
    programs: ['/usr/bin/buildah'],
    copies: ['/etc/ssl/certs/ca-certificates.crt'],
    applets:
      'sh sleep tar gunzip unzip cat chmod df ls mkdir nc rm tail test true echo find grep mount umount id head base64',
    folders: ['/var/lib/containers', ownDir],
    // Large temporary files belong on the build's disk.
    links: {
      '/var/tmp': '/var/lib/containers/tmp',
      '/etc/containers/registries.conf': registriesFile,
      '/etc/containers/certs.d': authoritiesDir,
    },
    files: {
      '/etc/containers/policy.json': '{"default":[{"type":"insecureAcceptAnything"}]}',
      '/etc/containers/containers.conf': containersConf,
    },
    missing: 'building needs buildah and a static busybox: apt-get install buildah busybox-static',
  })
}
