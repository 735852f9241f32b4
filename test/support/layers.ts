/** Layers entry by entry, with what no archiver writes by itself. */
import { makeTar, type TarEntry } from './images.ts'

/** An entry, or blocks of an archive as they are. */
export type Part = TarEntry | Promise<Buffer>

/** An uncompressed layer of these parts, in this order. */
export async function makeLayer(parts: Part[]): Promise<Buffer> {
  const blocks = parts.map(async (part) =>
    part instanceof Promise ? part : (await makeTar([part])).subarray(0, -1_024),
  )
  return Buffer.concat([...(await Promise.all(blocks)), Buffer.alloc(1_024)])
}

/** A PAX header for what comes after it, whose values may be bytes that are no text. */
export async function pax(records: Record<string, string | Buffer>): Promise<Buffer> {
  const content = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')])
    const length = [1, 2, 3].map((digits) => rest.length + digits).find((n, i) => `${n}`.length === i + 1)
    return Buffer.concat([Buffer.from(`${length}`), rest])
  })
  const whole = await makeTar([{ name: 'PaxHeader', content: Buffer.concat(content) }])
  whole.write('x', 156)
  whole.fill(' ', 148, 156)
  const sum = whole.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  whole.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  // Without the blocks of zeros that end an archive.
  return whole.subarray(0, -1_024)
}
