/**
 * What an image has where an empty volume is mounted goes into the volume, as with Docker: programs find the files they
 * came with, and a folder that is theirs. Nobody runs in the container yet.
 */
import { chmodSync, chownSync, closeSync, constants, fstatSync, readdirSync } from 'node:fs'
import { Readable } from 'node:stream'
import tar from 'tar-stream'
import { rootOfFolder } from '../files/copy-paths.ts'
import { packPath } from '../files/pack-path.ts'
import { unpackInto } from '../files/unpack-into.ts'
import { spaceLeft } from '../sys/disk.ts'
import { openAt } from '../sys/in-root.ts'
import type { ContainerSpec } from './containers.ts'

/**
 * @param target in the root file system, a folder and no link (see makeTarget).
 * Answers with whether there was anything that the volume lacked.
 */
export async function fillVolume(
  rootfs: string,
  target: string,
  data: string,
  { idRange }: Pick<ContainerSpec, 'idRange'>,
): Promise<boolean> {
  const from = rootOfFolder(rootfs)
  const to = rootOfFolder(data)
  try {
    const folder = openAt(from, target, constants.O_RDONLY | constants.O_DIRECTORY)
    const { uid, gid, mode } = fstatSync(folder)
    const isEmpty = readdirSync(`/proc/self/fd/${folder}`).length === 0
    closeSync(folder)
    if (isEmpty && uid === idRange.base && gid === idRange.base && (mode & 0o7777) === 0o755) return false
    const pack = tar.pack()
    const packing = packPath(from, `${target}/.`, idRange, pack).then(
      () => pack.finalize(),
      (error) => pack.destroy(error as Error),
    )
    const archive = Readable.from(pack as AsyncIterable<Buffer>, { objectMode: false })
    await unpackInto(to, '/', archive, { idRange, hasSpace: (bytes) => spaceLeft(data) > bytes })
    await packing
    chownSync(data, uid, gid)
    chmodSync(data, mode & 0o7777)
    return true
  } finally {
    closeSync(from)
    closeSync(to)
  }
}
