import { shown } from './byte-path.ts'

/** What a layer's entries mean. Source: OCI image-spec, layer.md. */
export type EntryMeaning =
  | { kind: 'skip' }
  | { kind: 'opaque'; folder: string }
  | { kind: 'whiteout'; path: string }
  | { kind: 'entry'; path: string }
  | { kind: 'refuse'; why: string }

const whiteoutPrefix = '.wh.'
const opaqueName = '.wh..wh..opq'
const maxPathBytes = 4_095
const maxNameBytes = 255
/** The kernel walks the whole path at every call. */
const maxDepth = 256

/**
 * Reads an entry's name: relative to the layer's root, no leading slash in the answer, '' never.
 * @param name one character a byte, here and in the answer
 */
export function meaningOf(name: string): EntryMeaning {
  if (name.includes('\0')) return { kind: 'refuse', why: 'a name with a NUL character' }
  if (name.length > maxPathBytes) return { kind: 'refuse', why: 'a path of more than 4,095 bytes' }
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) return { kind: 'refuse', why: `the path ${shown(name)}, which leads up` }
  if (parts.length > maxDepth) return { kind: 'refuse', why: `a path of more than ${maxDepth} folders` }
  if (parts.some((part) => part.length > maxNameBytes))
    return { kind: 'refuse', why: 'a name of more than 255 bytes' }
  const base = parts.at(-1)
  if (base === undefined) return { kind: 'skip' }
  const folder = parts.slice(0, -1).join('/')
  if (base === opaqueName) return { kind: 'opaque', folder }
  // Others of AUFS's own bookkeeping say nothing about the tree.
  if (base.startsWith('.wh..wh.')) return { kind: 'skip' }
  if (base.startsWith(whiteoutPrefix)) {
    const hidden = base.slice(whiteoutPrefix.length)
    if (hidden === '' || hidden === '.' || hidden === '..')
      return { kind: 'refuse', why: 'a whiteout of nothing' }
    return { kind: 'whiteout', path: folder === '' ? hidden : `${folder}/${hidden}` }
  }
  return { kind: 'entry', path: parts.join('/') }
}

/** Extended attributes that an image may set; trusted.* and security.* others would speak to the host. */
export function isAllowedAttribute(name: string): boolean {
  return name.startsWith('user.') || name === 'security.capability'
}
