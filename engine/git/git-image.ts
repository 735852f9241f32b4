/** The image that git runs in. */
import { existsSync } from 'node:fs'
import { ensureHostImage } from '../builder/host-image.ts'
import type { SandboxParts } from '../builder/sandbox.ts'
import type { Images } from '../images/images.ts'
import type { Spawner } from '../sys/spawner.ts'
import { certificatesFile } from './commands.ts'
import { hooksDir, preReceive } from './push-commands.ts'

export interface GitParts extends SandboxParts {
  images: Images
  spawner: Spawner
}

const core = '/usr/lib/git-core'
const lfs = '/usr/bin/git-lfs'
const ssh = '/usr/bin/ssh'

export const hasLfs = () => existsSync(lfs)

/** Digest of it. Throws unsupported. */
export function ensureGitImage(images: Images, spawner: Spawner): Promise<string> {
  return ensureHostImage(images, spawner, {
    name: 'git.internal/git',
    programs: [
      '/usr/bin/git',
      `${core}/git-remote-http`,
      `${core}/git-submodule`,
      ssh,
      ...(hasLfs() ? [lfs] : []),
    ],
    copies: [certificatesFile, `${core}/git-sh-setup`, `${core}/git-sh-i18n`],
    applets:
      'sh sleep tar cat chmod rm mkdir mkfifo touch find test true false echo printf sed basename dirname uname wc ls head',
    folders: ['/work', '/git', '/usr/share/git-core/templates'],
    links: { [`${core}/git-remote-https`]: 'git-remote-http', [`${core}/git`]: '/usr/bin/git' },
    files: {},
    scripts: { [`${hooksDir}/pre-receive`]: preReceive },
    missing: 'Git needs git, ssh and a static busybox: apt-get install git openssh-client busybox-static',
  })
}
