/** An image with Perl, which can make any system call: the host's own, as every Debian has it. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ImageSpec } from './images.ts'

export function perlImage(files: Record<string, string> = {}): ImageSpec {
  const libraries = execFileSync('ldd', ['/usr/bin/perl'], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g)
  const paths = ['/usr/bin/perl', ...[...libraries].map(([, path]) => path ?? '')]
  const modules = readdirSync('/usr/lib', { withFileTypes: true })
    .map((entry) => `/usr/lib/${entry.name}/perl-base`)
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name)),
    )
  const all = [...paths, ...modules].map((path) => [path, readFileSync(path)] as const)
  return { files: { ...Object.fromEntries(all), ...files }, env: ['PATH=/bin:/usr/bin'] }
}
