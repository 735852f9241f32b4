import { text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import tar from 'tar-stream'
import { expect, test } from 'vitest'
import { chosenFolder } from '../../../app/_builds/browser-folder.ts'
import { packFolder } from '../../../app/_builds/pack-folder.ts'
import { CannotSend } from '../../../app/_builds/upload-source.ts'

/** As an input for folders gives it. */
function folder(files: Record<string, string | Uint8Array<ArrayBuffer>>) {
  const found = chosenFolder(
    Object.entries(files).map(([path, content]) =>
      Object.defineProperty(new File([content], path), 'webkitRelativePath', { value: `shop/${path}` }),
    ),
  )
  if (found === null) throw new Error('no folder')
  return found
}

const options = { onProgress: () => {}, signal: new AbortController().signal }

async function unpack(archive: File) {
  const found: Record<string, string> = {}
  const extract = tar.extract()
  extract.end(gunzipSync(Buffer.from(await archive.arrayBuffer())))
  for await (const entry of extract) {
    const { name, mode = 0, type } = entry.header
    found[name] = `${type} ${mode.toString(8)} ${await text(entry)}`.trim()
  }
  return found
}

test('a chosen folder is packed by the rules of berth deploy, without .git and node_modules', async () => {
  const progress: number[] = []
  const archive = await packFolder(
    folder({
      '.gitignore': '*.log\n',
      '.git/config': 'secret',
      '.dockerignore': 'docs\n',
      'node_modules/a/index.js': '',
      'web/node_modules/b.js': '',
      'web/.gitignore': '!wanted.log\ncache\n',
      'web/wanted.log': 'wanted',
      'web/cache/x': '',
      'a.log': '',
      'docs/a.md': '',
      Dockerfile: 'FROM x',
      'run.sh': '#!/bin/sh\n',
      program: new Uint8Array([0x7f, 0x45, 0x4c, 0x46]),
      'ünïcode/empty': '',
    }),
    { ...options, onProgress: (done, total) => progress.push(done / total) },
  )
  expect(archive.name).toBe('shop.tar.gz')
  expect(await unpack(archive)).toEqual({
    '.dockerignore': 'file 644 docs',
    '.gitignore': 'file 644 *.log',
    Dockerfile: 'file 644 FROM x',
    program: 'file 755 \x7fELF',
    'run.sh': 'file 755 #!/bin/sh',
    web: 'directory 755',
    'web/.gitignore': 'file 644 !wanted.log\ncache',
    'web/wanted.log': 'file 644 wanted',
    ünïcode: 'directory 755',
    'ünïcode/empty': 'file 644',
  })
  expect(progress[0]).toBe(0)
  expect(progress.at(-1)).toBe(1)
})

test('large files arrive whole', async () => {
  const content = Array.from({ length: 400_000 }, (_, index) => `line ${index}`).join('\n')
  const { large } = await unpack(await packFolder(folder({ large: content }), options))
  expect(large === `file 644 ${content}`).toBe(true)
})

test('a folder without source, one with too many files and one that can’t be read are not sent', async () => {
  expect(chosenFolder([])).toBeNull()
  await expect(packFolder(folder({ '.git/config': '' }), options)).rejects.toThrow(new CannotSend('nothing'))
  const unreadable = folder({ Dockerfile: 'FROM x' })
  const [entry] = await unreadable.reader.children('')
  if (entry !== undefined) entry.file = () => Promise.reject(new DOMException('gone', 'NotFoundError'))
  await expect(packFolder(unreadable, options)).rejects.toThrow(new CannotSend('unreadable', 'Dockerfile'))
  const entries = Array.from({ length: 100_001 }, (_, index) => ({
    ...{ name: String(index), isFolder: true },
    file: () => Promise.reject(new Error('a folder')),
  }))
  const children = async (at: string) => (at === '' ? entries : [])
  const many = { name: 'many', reader: { text: async () => '', children } }
  await expect(packFolder(many, options)).rejects.toThrow(new CannotSend('tooMany'))
})

test('what is stopped is packed no further', async () => {
  const stop = new AbortController()
  const packing = packFolder(folder({ a: 'x'.repeat(5_000_000) }), {
    onProgress: (done) => done > 0 && stop.abort(new Error('given up')),
    signal: stop.signal,
  })
  await expect(packing).rejects.toThrow('given up')
})
