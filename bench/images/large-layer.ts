import { createHash } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type BenchImage, tarOf, writeAll } from './image.ts'

/** One layer that is one large file, hardly to be compressed: whoever keeps a layer in memory shows it here. */
export function largeLayerImage(megabytes = 1_024): BenchImage {
  return {
    name: `large-layer-${megabytes}`,
    what: `an image whose one layer is a file of ${megabytes} MiB`,
    version: 1,
    async makeLayers(folder, { signal }) {
      const files = join(folder, 'files')
      mkdirSync(files)
      await writeAll(join(files, 'large'), noise(megabytes))
      const layer = await tarOf(files, ['large'], join(folder, 'layer.tar'), signal)
      rmSync(files, { recursive: true, force: true })
      return [layer]
    },
  }
}

/** The same bytes each time, no two blocks alike. */
function* noise(megabytes: number): Generator<Buffer> {
  for (let index = 0; index < megabytes; index++) {
    const hash = createHash('shake256', { outputLength: 2 ** 20 }).update(`block ${index}`)
    yield hash.digest()
  }
}
