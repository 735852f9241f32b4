/** What a container has changed, and files in and out. */
import type { Readable } from 'node:stream'
import type { FileTree } from '../files/file-tree.ts'

export interface ContainerFiles {
  /**
   * What one that runs sees, with all that is mounted in it. What is made belongs to its user. Its calls throw
   * failed-precondition when it does not run, and what is under way ends with it.
   */
  files(idOrName: string): FileTree
  /** What differs from its image, by path. It is held still meanwhile. */
  diff(idOrName: string): Promise<FileChange[]>
  /**
   * A tar of a file, link or folder, named by the last part of its path. Links on the way lead nowhere but in the
   * container. One that does not run is without its mounts. What fails fails the stream: not-found, invalid.
   */
  copyOut(idOrName: string, path: string, options?: { signal?: AbortSignal }): Readable
  /**
   * Unpacks a tar (not compressed) below a folder that is there. Throws not-found, invalid, corrupt, limit-exceeded,
   * and leaves there what came before it.
   */
  copyIn(
    idOrName: string,
    folder: string,
    archive: Readable,
    options?: { signal?: AbortSignal },
  ): Promise<void>
}

export interface FileChange {
  kind: 'added' | 'modified' | 'deleted'
  /** Bytes of a name that are no UTF-8 are U+FFFD each. */
  path: string
}
