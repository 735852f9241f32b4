/** Source: capabilities(7), "File capability extended attribute versioning". */
const revisionMask = 0xff000000
const revision2 = 0x02000000
const revision3 = 0x03000000
const revision2Bytes = 20
const revision3Bytes = 24

/**
 * A file's capabilities as images have them, which name no user namespace. What was set inside a container names the
 * namespace by its root's id on the host: null for one that is not this container's.
 */
export function capabilityForImage(value: Buffer, rootId: number): Buffer | null {
  if (value.length < revision2Bytes) return null
  const magic = value.readUInt32LE(0)
  const revision = (magic & revisionMask) >>> 0
  if (revision === revision2 && value.length === revision2Bytes) return value
  if (revision !== revision3 || value.length !== revision3Bytes) return null
  if (value.readUInt32LE(revision2Bytes) !== rootId) return null
  const plain = Buffer.from(value.subarray(0, revision2Bytes))
  plain.writeUInt32LE(((magic & ~revisionMask) | revision2) >>> 0, 0)
  return plain
}
