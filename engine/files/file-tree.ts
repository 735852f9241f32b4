/**
 * A tree of files that a stranger may change at any moment: what a running container sees, or a volume. Paths are
 * absolute within it and given as text, or as bytes where a name is none. Every one is looked up by the kernel below the tree's
 * root (openat2), so links, `..` and whatever is exchanged meanwhile lead nowhere else. Pipes, sockets and devices are
 * listed and deleted, never opened; what is the kernel's own (/proc, /sys) is left alone.
 *
 * Throws not-found, already-exists, invalid for what makes no sense there, failed-precondition for what is in the way,
 * and limit-exceeded when there is no space.
 */
import type { Readable } from 'node:stream'

export interface FileTree {
  /** What is at a path; a last part that is a link is followed. */
  look(path: FilePath): Promise<Omit<FileEntry, 'link'>>
  /** Folders first, then by the bytes of their names; at most `limit` of them, after one of an earlier page. */
  list(path: FilePath, options: ListOptions): Promise<FolderPage>
  /** A file's content, as long as it is when it is opened. Throws limit-exceeded for one above `maxBytes`. */
  read(path: FilePath, options: { maxBytes: number; signal?: AbortSignal }): Promise<FileContent>
  /** A tar of a folder with all in it. What fails, and more than the limits, fails the stream. */
  pack(path: FilePath, options: PackOptions): Promise<Readable>
  /**
   * Makes a file of all that comes, at once: until then nothing is seen of it, and nothing is left when it breaks off.
   * One that it replaces gives it its owner and mode. Throws already-exists without `replace`, and for a folder in any case.
   */
  write(path: FilePath, content: Readable, options: WriteOptions): Promise<FileEntry>
  makeFolder(path: FilePath): Promise<FileEntry>
  /**
   * A folder that is not empty needs `recursive`. Nothing that is mounted in it is entered. `isDone` is false when the
   * time was over before everything was gone.
   */
  remove(path: FilePath, options: RemoveOptions): Promise<{ removed: number; isDone: boolean }>
}

export type FilePath = string | Buffer

export type FileKind = 'file' | 'folder' | 'link' | 'pipe' | 'socket' | 'device'

export interface FileEntry {
  name: Buffer
  kind: FileKind
  sizeBytes: number
  /** Permission bits, with set-user-id and its neighbours. */
  mode: number
  /** As the container has them; 65534 for what is not the container's. */
  uid: number
  gid: number
  changedAt: Date
  /** What a link says, and what is there; null: nothing, or nothing that can be opened. */
  link: { target: Buffer; leadsTo: FileKind | null } | null
}

export interface FolderPage {
  entries: FileEntry[]
  /** The last of this page, where there are more. */
  next: PagePlace | null
  /** There are more names than are looked at. */
  isCut: boolean
}

export interface PagePlace {
  isFolder: boolean
  name: Buffer
}

export interface ListOptions {
  limit: number
  after?: PagePlace
}

export interface FileContent {
  sizeBytes: number
  changedAt: Date
  stream: Readable
}

export interface PackOptions {
  /** Of what is in the files, and how many files, links and folders. */
  maxBytes: number
  maxEntries: number
  signal?: AbortSignal
}

export interface WriteOptions {
  maxBytes: number
  replace?: boolean
  signal?: AbortSignal
}

export interface RemoveOptions {
  recursive?: boolean
  withinMs: number
}
