/** An image with Node: this process's own, and the libraries that it needs. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type ImageSpec, makeTar } from './images.ts'

let layer: Promise<Buffer> | undefined

export async function nodeImage(files: Record<string, string>): Promise<ImageSpec> {
  layer ??= makeTar(
    [process.execPath, ...librariesOf(process.execPath)].map((path) => ({
      name: path === process.execPath ? 'bin/node' : path.slice(1),
      content: readFileSync(path),
      mode: 0o755,
    })),
  )
  const scripts = Object.entries(files).map(([name, content]) => ({ name, content }))
  return { layers: [await layer, await makeTar(scripts)], bare: true, compress: 'none' }
}

export function librariesOf(path: string): string[] {
  const output = execFileSync('ldd', [path], { encoding: 'utf8' })
  return [...output.matchAll(/(\/\S+) \(0x/g)].map(([, library]) => library ?? '')
}
