import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../cli/processes.ts'
import type { BenchContext } from '../bench.ts'
import type { BenchImage } from './image.ts'

/** The smallest Debian root: one layer, about 8,000 files. */
export const debianImage: BenchImage = {
  name: 'debian',
  what: 'a Debian root (1 layer)',
  version: 2,
  makeLayers: async (folder, context) => [await debianRoot(folder, context)],
}

export async function debianRoot(folder: string, { signal }: BenchContext): Promise<string> {
  const path = join(folder, 'debian.tar')
  const release = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable'
  // From the host's own package sources.
  await run(['mmdebstrap', '--variant=minbase', '--quiet', release, path], { signal })
  return path
}
