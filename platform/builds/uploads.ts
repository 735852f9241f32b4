/** Archives of source between the request that brings them and the build that needs them. */
import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Config } from '../config.ts'
import { PlatformError } from '../errors.ts'
import { maxUploadBytes, type UploadFormat } from '../model/builds.ts'

/** Who sends nothing for so long is gone. */
const idleMs = 30_000

export interface Upload {
  sourceFile: string
  sourceBytes: number
}

export function uploadPath(config: Pick<Config, 'home'>, sourceFile: string): string {
  return join(config.home, 'uploads', sourceFile)
}

/**
 * Stores what comes, up to a limit. Throws `too-large`, and `bad-request` for what is empty, is no archive of that kind
 * or stops coming; nothing is kept then.
 */
export async function storeUpload(
  config: Pick<Config, 'home'>,
  body: ReadableStream<Uint8Array> | null,
  format: UploadFormat,
): Promise<Upload> {
  if (body === null)
    throw new PlatformError('bad-request', 'The body is empty: it must be an archive of the source.')
  await mkdir(join(config.home, 'uploads'), { recursive: true, mode: 0o700 })
  const sourceFile = `${Date.now()}-${randomBytes(12).toString('hex')}.${format}`
  const path = uploadPath(config, sourceFile)
  let sourceBytes = 0
  let start = Buffer.alloc(0)
  const idle = new AbortController()
  const timer = setTimeout(() => idle.abort(), idleMs)
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      timer.refresh()
      sourceBytes += chunk.length
      if (start.length < 512) start = Buffer.concat([start, chunk.subarray(0, 512)])
      if (sourceBytes > maxUploadBytes) done(tooLarge())
      else done(null, chunk)
    },
  })
  try {
    await pipeline(body, count, createWriteStream(path, { mode: 0o600, flags: 'wx' }), {
      signal: idle.signal,
    })
    if (!looksLike(format, start)) throw new PlatformError('bad-request', `The body is no ${format} archive.`)
    return { sourceFile, sourceBytes }
  } catch (error) {
    await rm(path, { force: true })
    if (error instanceof PlatformError) throw error
    const { code } = error as { code?: string }
    if (code === 'ENOSPC')
      throw new PlatformError(
        'unavailable',
        'The disk of this Berth is full: the source could not be stored.',
      )
    throw new PlatformError('bad-request', 'The archive did not arrive as a whole.', { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

export async function dropUpload(config: Pick<Config, 'home'>, sourceFile: string): Promise<void> {
  await rm(uploadPath(config, sourceFile), { force: true })
}

/** What nobody waits for any more, such as what came before a crash; young ones may be about to be asked for. */
export async function sweepUploads(
  config: Pick<Config, 'home'>,
  isNeeded: (file: string) => boolean,
): Promise<void> {
  const folder = join(config.home, 'uploads')
  for (const file of await readdir(folder).catch(() => [])) {
    if (isNeeded(file)) continue
    const found = await stat(join(folder, file)).catch(() => null)
    if (found !== null && Date.now() - found.mtimeMs > 3_600_000)
      await rm(join(folder, file), { force: true })
  }
}

function tooLarge(): PlatformError {
  return new PlatformError(
    'too-large',
    `The source is larger than ${maxUploadBytes / 2 ** 20} MiB. Leave out what is not needed, with .dockerignore.`,
  )
}

function looksLike(format: UploadFormat, start: Buffer): boolean {
  switch (format) {
    case 'zip':
      return start.subarray(0, 2).toString('latin1') === 'PK'
    case 'tar.gz':
      return start[0] === 0x1f && start[1] === 0x8b
    case 'tar':
      return start.subarray(257, 262).toString('latin1') === 'ustar'
  }
}
