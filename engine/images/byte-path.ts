/**
 * Paths of a layer as text of one character a byte. A name on Linux is any bytes but `/` and NUL; made text by UTF-8,
 * those that are none would all become the same.
 */

/** What Node's file functions take for such a path: a string where that is the same bytes, as it nearly always is. */
export function fromBytes(path: string): string | Buffer {
  for (let index = 0; index < path.length; index++)
    if (path.charCodeAt(index) > 127) return Buffer.from(path, 'latin1')
  return path
}

/** A name of the file system, asked for as a buffer. */
export function toBytes(name: Buffer): string {
  return name.toString('latin1')
}

/** A path as a person reads it, in quotes. */
export function shown(path: string): string {
  return JSON.stringify(Buffer.from(path.slice(0, 200), 'latin1').toString())
}
