/** Debian's own kernel, fetched once and unpacked beside this host's: nothing of it is installed. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { mustRun } from './processes.ts'

export interface Kernel {
  version: string
  image: string
  /** `/lib/modules/<version>` of it. */
  modules: string
}

const cache = join(homedir(), '.cache/berth-vm')

/** The one that Debian's linux-image-amd64 stands for today. */
export async function ensureKernel(): Promise<Kernel> {
  const depends = await mustRun(['apt-cache', 'depends', 'linux-image-amd64'])
  const name = /Depends: (linux-image-(\S+))/.exec(depends)
  if (!name) throw new Error('apt knows no linux-image-amd64: apt-get update')
  const [, packageName = '', version = ''] = name
  const folder = join(cache, version)
  if (!existsSync(folder)) await fetch(packageName, version, folder)
  return {
    version,
    image: join(folder, 'boot', `vmlinuz-${version}`),
    modules: join(folder, 'lib/modules', version),
  }
}

async function fetch(packageName: string, version: string, folder: string): Promise<void> {
  const unfinished = `${folder}.tmp`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  console.log(`fetching ${packageName}`)
  await mustRun(['apt-get', 'download', packageName], { cwd: unfinished })
  const archive = readdirSync(unfinished).find((file) => file.endsWith('.deb'))
  if (!archive) throw new Error(`apt-get downloaded no ${packageName}`)
  await mustRun(['dpkg-deb', '--extract', archive, '.'], { cwd: unfinished })
  rmSync(join(unfinished, archive))
  await mustRun(['depmod', '--basedir', unfinished, version])
  renameSync(unfinished, folder)
}
