import type { DeletedFiles, FileEntry, FileListing } from '@/platform/model/files.ts'
import type { ActionResult, Problem } from '../../../../../_actions/result.ts'

/** A path in a tree: as text, or where a name in it is none, as bytes. */
export interface FilePath {
  path: string
  rawPath: string | null
}

export interface AskFiles {
  list(at: FilePath, cursor: string | null, signal: AbortSignal): Promise<ActionResult<FileListing>>
  /** Where a browser downloads it from. */
  addressOf(at: FilePath): string
  makeFolder(at: FilePath): Promise<ActionResult<FileEntry>>
  remove(at: FilePath, recursive: boolean): Promise<ActionResult<DeletedFiles>>
  upload(at: FilePath, file: File, options: UploadOptions): Promise<ActionResult<FileEntry>>
}

export interface UploadOptions {
  replace: boolean
  onProgress(doneBytes: number): void
  /** The answer is a problem then, which nobody looks at. */
  signal: AbortSignal
}

/** @param base such as /apps/app_1, or /volumes/vol_1. */
export function filesOf(base: string, container: string | null): AskFiles {
  const url = (what: string, at: FilePath, more: Record<string, string> = {}) =>
    `/api/v1${base}/files${what}?${new URLSearchParams({ ...whereOf(at), ...more })}`
  const whereOf = ({ path, rawPath }: FilePath) => ({
    ...(rawPath === null ? { path } : { rawPath }),
    ...(container === null ? {} : { container }),
  })
  return {
    list: (at, cursor, signal) => ask(url('', at, cursor === null ? {} : { cursor }), { signal }),
    addressOf: (at) => url('/content', at),
    makeFolder: (at) =>
      ask(`/api/v1${base}/files/folders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(whereOf(at)),
      }),
    remove: (at, recursive) => ask(url('', at, { recursive: String(recursive) }), { method: 'DELETE' }),
    upload: (at, file, { replace, ...options }) =>
      send(url('/content', at, { replace: String(replace) }), file, options),
  }
}

async function ask<Answer>(url: string, init: RequestInit): Promise<ActionResult<Answer>> {
  try {
    const response = await fetch(url, init)
    return answerOf(response.ok, await response.text(), response.headers.get('retry-after'))
  } catch {
    return unreachable
  }
}

/** fetch() does not say how much it has sent. */
function send(
  url: string,
  file: File,
  { onProgress, signal }: Omit<UploadOptions, 'replace'>,
): Promise<ActionResult<FileEntry>> {
  const request = new XMLHttpRequest()
  return new Promise((resolve) => {
    request.open('PUT', url)
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.upload.onprogress = ({ loaded }) => onProgress(loaded)
    request.onload = () =>
      resolve(
        answerOf(
          request.status >= 200 && request.status < 300,
          request.responseText,
          request.getResponseHeader('retry-after'),
        ),
      )
    request.onerror = () => resolve(unreachable)
    request.onabort = () => resolve(unreachable)
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(file)
  })
}

const unreachable: Problem = {
  ...{ ok: false, code: 'unavailable', message: 'Berth does not answer. Look whether you are online.' },
  ...{ fields: [], retryAfterSeconds: null },
}

function answerOf<Answer>(isGood: boolean, text: string, retryAfter: string | null): ActionResult<Answer> {
  const body = parse(text)
  if (isGood) return { ok: true, data: body as Answer }
  const {
    code = 'internal',
    detail = '',
    errors = [],
  } = body as Partial<{
    code: Problem['code']
    detail: string
    errors: Problem['fields']
  }>
  const retryAfterSeconds = retryAfter === null ? null : Number(retryAfter)
  return { ok: false, code, message: detail, fields: errors, retryAfterSeconds }
}

function parse(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
