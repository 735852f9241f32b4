import { readFile } from 'node:fs/promises'
import { run } from '../../cli/processes.ts'

interface DebianRootOptions {
  /** Folders of /usr/share whose content is left out. */
  without?: string[]
  /** Packages beside those that are essential. */
  include?: string[]
  /** Only the files of `include` and what it depends on: nothing essential, and no package is set up. */
  bare?: boolean
}

/**
 * Writes the tar of a root file system of the host's own release, with what is essential and apt, from the host's own
 * package sources.
 */
export async function makeDebianRoot(
  tar: string,
  { without = [], include = [], bare = false }: DebianRootOptions = {},
): Promise<void> {
  const release = await readFile('/etc/os-release', 'utf8')
  const of = (name: string) => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(release)?.[1] ?? ''
  const isUbuntu = of('ID') === 'ubuntu'
  await run([
    'mmdebstrap',
    `--variant=${bare ? 'extract' : 'minbase'}`,
    `--components=${isUbuntu ? 'main,universe' : 'main'}`,
    '--dpkgopt=force-unsafe-io',
    ...(include.length === 0 ? [] : [`--include=${include.join(',')}`]),
    ...without.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    of('VERSION_CODENAME'),
    tar,
  ])
}
