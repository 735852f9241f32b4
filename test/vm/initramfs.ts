/** The guest's first files: what it needs to reach the host's. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Kernel } from './kernel.ts'
import { mustRun } from './processes.ts'

const wanted = ['virtio_pci', 'virtio_blk', '9pnet_virtio', '9p', 'overlay']

/** Answers with the archive's path. */
export async function makeInitramfs(kernel: Kernel, folder: string): Promise<string> {
  const root = join(folder, 'initramfs')
  for (const name of ['bin', 'modules', 'proc', 'sys', 'dev', 'lower', 'upper', 'root'])
    mkdirSync(join(root, name), { recursive: true })
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
  copyFileSync(join(import.meta.dirname, 'init.sh'), join(root, 'init'))
  const modules = await modulesFor(kernel)
  for (const path of modules) copyFileSync(path, join(root, 'modules', basename(path)))
  writeFileSync(join(root, 'modules/order'), modules.map((path) => `${basename(path)}\n`).join(''))
  const archive = join(folder, 'initramfs.cpio')
  await mustRun(['sh', '-c', 'cd "$1" && find . | busybox cpio -o -H newc >"$2"', 'sh', root, archive])
  return archive
}

/** Their files, each after those it needs; what is built in has none. */
async function modulesFor({ version, modules }: Kernel): Promise<string[]> {
  const paths = new Set<string>()
  for (const name of wanted) {
    const shown = await mustRun([
      'modprobe',
      '--show-depends',
      `--dirname=${join(modules, '../../..')}`,
      `--set-version=${version}`,
      name,
    ])
    for (const [, path = ''] of shown.matchAll(/^insmod (\S+)/gm)) paths.add(path)
  }
  return [...paths]
}
