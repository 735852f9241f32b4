import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BenchImage, tarOf } from './image.ts'

/** One layer of many small files: what a tree of packages asks of the file system, and nothing else. */
export function smallFilesImage(count = 50_000): BenchImage {
  return {
    name: `small-files-${count}`,
    what: `an image of ${count} small files (1 layer)`,
    version: 1,
    async makeLayers(folder, { signal }) {
      const files = join(folder, 'files')
      for (let index = 0; index < count; index++) {
        const place = join(files, `data/${Math.floor(index / 1_000)}/${Math.floor(index / 50) % 20}`)
        if (index % 50 === 0) mkdirSync(place, { recursive: true })
        writeFileSync(join(place, `${index}.txt`), `file ${index}\n`.repeat(1 + (index % 200)))
      }
      const layer = await tarOf(files, ['data'], join(folder, 'layer.tar'), signal)
      rmSync(files, { recursive: true, force: true })
      return [layer]
    },
  }
}
