/** A folder of a person's computer, as browsers lend it: dropped on the page, or chosen. */
import type { FolderEntry, FolderReader } from '@/platform/model/source-folder.ts'

export interface BrowserEntry extends FolderEntry {
  file(): Promise<File>
}

export interface BrowserFolder {
  name: string
  reader: FolderReader<BrowserEntry>
}

/** What was dropped; it must be asked while the event lasts. Null: it is no folder. */
export function droppedFolder(item: DataTransferItem): BrowserFolder | null {
  const root = item.webkitGetAsEntry()
  if (!isFolder(root)) return null
  const folders = new Map([['', root]])
  return folderOf(root.name, async (at) => {
    const folder = folders.get(at)
    const found = folder === undefined ? [] : await entriesOf(folder)
    for (const entry of found)
      if (isFolder(entry)) folders.set(at === '' ? entry.name : `${at}/${entry.name}`, entry)
    return found.map((entry) => ({
      name: entry.name,
      isFolder: entry.isDirectory,
      file: () => fileOf(entry),
    }))
  })
}

/** What an input for folders was given: all files that are in it. Null: it is empty. */
export function chosenFolder(files: readonly File[]): BrowserFolder | null {
  const root = files[0]?.webkitRelativePath.split('/')[0]
  if (root === undefined) return null
  const folders = new Map<string, Map<string, BrowserEntry>>([['', new Map()]])
  for (const file of files) {
    const names = file.webkitRelativePath.split('/').slice(1)
    for (const [depth, name] of names.entries()) {
      const isLast = depth === names.length - 1
      const path = names.slice(0, depth + 1).join('/')
      const above = folders.get(names.slice(0, depth).join('/'))
      if (above?.has(name) !== false) continue
      above.set(name, { name, isFolder: !isLast, file: async () => file })
      if (!isLast) folders.set(path, new Map())
    }
  }
  return folderOf(root, async (at) => [...(folders.get(at)?.values() ?? [])])
}

function folderOf(name: string, children: FolderReader<BrowserEntry>['children']): BrowserFolder {
  return {
    name,
    reader: {
      children,
      async text(path) {
        const at = path.lastIndexOf('/')
        const found = await children(at < 0 ? '' : path.slice(0, at))
        const entry = found.find((each) => !each.isFolder && each.name === path.slice(at + 1))
        return entry === undefined ? '' : (await entry.file()).text()
      },
    },
  }
}

/** A browser tells of so many at a time, and of none when it is done. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed))
    if (some.length === 0) return all
    all.push(...some)
  }
}

function fileOf(entry: FileSystemEntry): Promise<File> {
  return new Promise((done, failed) => {
    if (entry.isFile) (entry as FileSystemFileEntry).file(done, failed)
    else failed(new Error(`${entry.name} is no file`))
  })
}

function isFolder(entry: FileSystemEntry | null): entry is FileSystemDirectoryEntry {
  return entry?.isDirectory === true
}
