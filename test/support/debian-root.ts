import { readFile } from 'node:fs/promises'
import { run } from '../../cli/processes.ts'

/**
 * Writes the tar of a root file system of the host's own release, with what is essential and apt, from the host's own
 * package sources.
 * @param without folders of /usr/share whose content is left out
 */
export async function makeDebianRoot(
  tar: string,
  { without = [] }: { without?: string[] } = {},
): Promise<void> {
  const release = await readFile('/etc/os-release', 'utf8')
  const of = (name: string) => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(release)?.[1] ?? ''
  const isUbuntu = of('ID') === 'ubuntu'
  await run([
    'mmdebstrap',
    '--variant=minbase',
    `--components=${isUbuntu ? 'main,universe' : 'main'}`,
    '--dpkgopt=force-unsafe-io',
    ...without.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    of('VERSION_CODENAME'),
    tar,
  ])
}
