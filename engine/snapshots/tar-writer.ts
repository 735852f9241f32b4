/**
 * Writes the entries of a tar as bytes: names, links and extended attributes need not be text. Source: pax(1), "ustar
 * Interchange Format" and "pax Extended Header".
 */

export interface TarEntry {
  /** Relative, no leading slash. */
  path: Buffer
  type: 'file' | 'link' | 'symlink' | 'directory' | 'fifo'
  mode: number
  uid: number
  gid: number
  sizeBytes: number
  /** Nanoseconds since 1970. */
  mtimeNs: bigint
  /** Where a link leads. */
  target?: Buffer
  attributes?: Map<string, Buffer>
}

const flags = { file: '0', link: '1', symlink: '2', directory: '5', fifo: '6' } as const
const blockBytes = 512
const nameBytes = 100
const largestId = 0o7777777
const largestSize = 0o77777777777

/** The blocks before an entry's content. */
export function tarHeader(entry: TarEntry): Buffer {
  const path = entry.type === 'directory' ? Buffer.concat([entry.path, Buffer.from('/')]) : entry.path
  const target = entry.target ?? Buffer.alloc(0)
  const seconds = entry.mtimeNs / 1_000_000_000n
  const records: Buffer[] = []
  const record = (key: string, value: Buffer | string) => records.push(paxRecord(key, Buffer.from(value)))
  if (path.length > nameBytes) record('path', path)
  if (target.length > nameBytes) record('linkpath', target)
  if (entry.uid > largestId) record('uid', String(entry.uid))
  if (entry.gid > largestId) record('gid', String(entry.gid))
  if (entry.sizeBytes > largestSize) record('size', String(entry.sizeBytes))
  if (seconds < 0n || seconds > BigInt(largestSize)) record('mtime', seconds.toString())
  for (const [name, value] of entry.attributes ?? []) record(`SCHILY.xattr.${name}`, value)
  const own = block({ ...entry, path, target, flag: flags[entry.type] })
  if (records.length === 0) return own
  const extended = Buffer.concat(records)
  const extension = block({
    path: Buffer.from('pax'),
    target: Buffer.alloc(0),
    flag: 'x',
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: extended.length,
    mtimeNs: 0n,
  })
  return Buffer.concat([extension, extended, tarPadding(extended.length), own])
}

/** What follows `sizeBytes` of content up to the next block. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes)
}

export const tarEnd = Buffer.alloc(2 * blockBytes)

/** `LENGTH KEY=VALUE\n`, where the length counts itself and the newline. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}

function block(entry: Omit<TarEntry, 'type' | 'attributes'> & { target: Buffer; flag: string }): Buffer {
  const header = Buffer.alloc(blockBytes)
  const octal = (value: number, at: number, length: number, largest: number) =>
    header.write((value >= 0 && value <= largest ? value : 0).toString(8).padStart(length - 1, '0'), at)
  entry.path.copy(header, 0, 0, nameBytes)
  octal(entry.mode & 0o7777, 100, 8, largestId)
  octal(entry.uid, 108, 8, largestId)
  octal(entry.gid, 116, 8, largestId)
  octal(entry.sizeBytes, 124, 12, largestSize)
  octal(Number(entry.mtimeNs / 1_000_000_000n), 136, 12, largestSize)
  header.fill(' ', 148, 156)
  header.write(entry.flag, 156)
  entry.target.copy(header, 157, 0, nameBytes)
  header.write('ustar\x0000', 257, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}
