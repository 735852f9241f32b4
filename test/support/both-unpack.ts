/** The same image, unpacked by Berth and by umoci, and everything that can be told of what came out. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readAttributes } from '../../engine/sys/syscalls.ts'
import { type ImageSpec, pushImage } from './images.ts'
import type { LayerImages } from './layer-images.ts'
import { writeLayout } from './oci-layout.ts'

const run = promisify(execFile)
let images = 0

/** An image of these layers, lowest first: a line for each of its files as either of them unpacks it. */
export async function bothUnpack(
  { registry, store }: LayerImages,
  layers: Buffer[],
  compress?: ImageSpec['compress'],
): Promise<{ berth: string[]; umoci: string[] }> {
  const place = mkdtempSync(join(tmpdir(), 'berth-both-'))
  const target = join(place, 'merged')
  const empty = join(place, 'empty')
  for (const each of [target, empty]) mkdirSync(each)
  try {
    const spec = { bare: true, layers, compress }
    const { reference, image } = await pushImage(registry, `team/both-${++images}:1`, spec)
    const pulled = await store.images.pull(reference)
    const layout = join(place, 'layout')
    await writeLayout(image, layout)
    await run('umoci', ['unpack', '--image', `${layout}:latest`, join(place, 'bundle')])
    const umoci = list(join(place, 'bundle/rootfs'))
    // By their short names, as for a container; but nothing of ours is on top.
    const short = new Map(
      readdirSync(join(store.stateDir, 'layers/l')).map((name) => [
        readlinkSync(join(store.stateDir, 'layers/l', name)),
        name,
      ]),
    )
    const lower = pulled.layers.map((diffId) => `l/${short.get(`../${diffId.slice(7)}`)}`).reverse()
    const options = `ro,lowerdir=${lower.join(':')}:${empty}`
    await run('mount', ['-t', 'overlay', 'none', '-o', options, target], {
      cwd: join(store.stateDir, 'layers'),
    })
    try {
      return { berth: list(target), umoci }
    } finally {
      await run('umount', [target])
    }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** Everything that can be told of each file below a folder, a line each. */
function list(top: string, path = Buffer.from(top)): string[] {
  const lines: string[] = []
  for (const entry of readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) {
    const file = Buffer.concat([path, Buffer.from('/'), entry.name])
    const stats = lstatSync(file, { bigint: true })
    const content = entry.isFile()
      ? createHash('sha256').update(readFileSync(file)).digest('hex')
      : entry.isSymbolicLink()
        ? readlinkSync(file, { encoding: 'buffer' }).toString('latin1')
        : ''
    const attributes = [...readAttributes(Buffer.concat([file, Buffer.alloc(1)]))]
      .filter(([name]) => !name.startsWith('trusted.overlay.'))
      .map(([name, value]) => `${name}=${value.toString('hex')}`)
    lines.push(
      JSON.stringify([
        file.subarray(top.length + 1).toString('latin1'),
        stats.mode.toString(8),
        `${stats.uid}:${stats.gid}`,
        entry.isDirectory() ? '' : `${stats.size} bytes, ${stats.nlink} links`,
        String(stats.mtimeNs),
        content,
        ...attributes.sort(),
      ]),
    )
    if (entry.isDirectory()) lines.push(...list(top, file))
  }
  return lines.sort()
}
