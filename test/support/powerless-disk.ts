/** A disk whose content can be seen as it would be had the host lost its power at this moment. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const sizeBytes = 2 ** 29

export interface PowerlessDisk {
  /** Where it is mounted. */
  path: string
  /** Lends a folder with what was written down by now, as the next boot would find it. */
  afterPowerLoss<T>(look: (path: string) => T): T
  close(): void
}

export function openPowerlessDisk(): PowerlessDisk {
  const folder = mkdtempSync(join(tmpdir(), 'berth-powerless-'))
  const [image, copy] = [join(folder, 'disk.img'), join(folder, 'copy.img')]
  const [path, found] = [join(folder, 'disk'), join(folder, 'found')]
  for (const each of [path, found]) mkdirSync(each)
  writeFileSync(image, '')
  truncateSync(image, sizeBytes)
  execFileSync('mkfs.ext4', ['-q', image])
  // By itself it writes down nothing while a test runs.
  execFileSync('mount', ['-o', 'loop,commit=300', image, path])
  return {
    path,
    afterPowerLoss(look) {
      execFileSync('cp', ['--sparse=always', image, copy])
      execFileSync('mount', ['-o', 'loop', copy, found])
      try {
        return look(found)
      } finally {
        execFileSync('umount', [found])
      }
    },
    close() {
      execFileSync('umount', ['--lazy', path])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
