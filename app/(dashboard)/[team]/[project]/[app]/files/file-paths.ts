import type { FilePath } from './ask-files.ts'

export const rootPath: FilePath = { path: '/', rawPath: null }

/** A name in a folder. */
export function childOf({ path, rawPath }: FilePath, name: string): FilePath {
  const child = `${path === '/' ? '' : path}/${name}`
  if (rawPath === null) return { path: child, rawPath: null }
  const bytes = Uint8Array.from([...bytesOf(rawPath), ...new TextEncoder().encode(`/${name}`)])
  return { path: child, rawPath: toBase64url(bytes) }
}

/** The folders on the way to a path, the root first; those in which a name is no text have none but that. */
export function wayTo({ path, rawPath }: FilePath): { name: string; at: FilePath }[] {
  const root = { name: '/', at: rootPath }
  if (path === '/') return [root]
  const parts = path.split('/').slice(1)
  if (rawPath !== null) return [root, { name: parts.join('/'), at: { path, rawPath } }]
  const below = parts.map((name, index) => ({
    name,
    at: { path: `/${parts.slice(0, index + 1).join('/')}`, rawPath: null },
  }))
  return [root, ...below]
}

/** What would break a line, or hide, is shown as what it is not. */
export function shownName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is for
  return name.replace(/[\u0000-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

function bytesOf(base64url: string): Uint8Array {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(text, (char) => char.charCodeAt(0))
}

function toBase64url(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
