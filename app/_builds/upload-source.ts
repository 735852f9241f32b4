import { maxUploadBytes, type UploadFormat } from '@/platform/model/builds.ts'

const types: Record<UploadFormat, string> = {
  tar: 'application/x-tar',
  'tar.gz': 'application/gzip',
  zip: 'application/zip',
}

/** By its name; null: it is none of those that are taken. */
export function formatOf(name: string): UploadFormat | null {
  const lower = name.toLowerCase()
  if (lower.endsWith('.zip')) return 'zip'
  if (/\.(tar\.gz|tgz)$/.test(lower)) return 'tar.gz'
  return lower.endsWith('.tar') ? 'tar' : null
}

/** Of an archive, and of a folder that is packed. */
export type Unsendable = 'format' | 'empty' | 'tooLarge' | 'nothing' | 'tooMany' | 'unreadable'

/** Why a file can't be sent, before it is; null: it can. */
export function whyNot(file: Pick<File, 'name' | 'size'>): Unsendable | null {
  if (formatOf(file.name) === null) return 'format'
  if (file.size === 0) return 'empty'
  return file.size > maxUploadBytes ? 'tooLarge' : null
}

/** Why source is not sent at all; `path` is what could not be read. */
export class CannotSend extends Error {
  override readonly name = 'CannotSend'
  readonly reason: Unsendable
  readonly path: string

  constructor(reason: Unsendable, path = '', options?: ErrorOptions) {
    super(`the source can't be sent: ${reason} ${path}`, options)
    this.reason = reason
    this.path = path
  }
}

/** What the API refused, in its words; null where it did not answer. */
export class UploadRefused extends Error {
  override readonly name = 'UploadRefused'
}

export interface UploadOptions {
  onProgress(doneBytes: number): void
  signal: AbortSignal
}

/** Sends an archive of source; answers with the deployment's number. Throws UploadRefused, or the signal's reason. */
export function uploadSource(
  appId: string,
  file: File,
  { onProgress, signal }: UploadOptions,
): Promise<number> {
  const format = formatOf(file.name)
  // fetch() does not say how much it has sent.
  const request = new XMLHttpRequest()
  return new Promise((resolve, reject) => {
    request.open('POST', `/api/v1/apps/${appId}/builds`)
    if (format !== null) request.setRequestHeader('content-type', types[format])
    request.upload.onprogress = ({ loaded }) => onProgress(loaded)
    request.onload = () => {
      const answer = parse(request.responseText)
      if (request.status === 202 && typeof answer.number === 'number') resolve(answer.number)
      else
        reject(new UploadRefused(typeof answer.detail === 'string' ? answer.detail : String(request.status)))
    }
    request.onerror = () => reject(new UploadRefused(''))
    request.onabort = () => reject(signal.reason)
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(file)
  })
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
