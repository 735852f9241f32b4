/** The archive that a build is made of, on its way into the uploads folder. */
import { createWriteStream } from 'node:fs'
import { chown, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Transform, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { maxUploadBytes } from '../../platform/model/builds.ts'
import { DeployFailure } from '../failure.ts'

/**
 * Lends a place to write to. What is there by its name afterwards is whole; nothing is there when it fails, or writes
 * more than an upload may have, which is a DeployFailure.
 */
export async function writeArchive<T>(
  path: string,
  write: (sink: Writable) => Promise<T>,
): Promise<{ result: T; bytes: number }> {
  let bytes = 0
  const sink = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes <= maxUploadBytes) return done(null, chunk)
      const reason = `the files of the commit have more than ${maxUploadBytes / 2 ** 20} MiB`
      done(new DeployFailure('git-failed', reason, { facts: { reason } }))
    },
  })
  const folder = dirname(path)
  // Who takes in uploads may be another user.
  if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) {
    const { uid, gid } = await stat(dirname(folder))
    await chown(folder, uid, gid)
  }
  const partial = `${path}.partial`
  await rm(partial, { force: true })
  const stored = pipeline(sink, createWriteStream(partial, { mode: 0o600, flags: 'wx' }))
  stored.catch(() => undefined)
  try {
    const result = await write(sink)
    await stored
    const file = await open(partial, 'r')
    await file.sync().finally(() => file.close())
    await rename(partial, path)
    return { result, bytes }
  } finally {
    sink.destroy()
    await stored.catch(() => undefined)
    await rm(partial, { force: true })
  }
}
