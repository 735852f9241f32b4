import type { FileEntry, FolderPage } from '../../engine/index.ts'
import type { FileListing, FileEntry as ShownEntry } from '../../platform/model/files.ts'

/** A page of a folder, as the API has it. */
export function showListing(path: Buffer, { entries, next, isCut }: FolderPage): FileListing {
  return {
    path: path.toString(),
    rawPath: rawOf(path),
    data: entries.map((entry) => showEntry(path, entry)),
    nextCursor: next && cursorOf(next),
    isCut,
  }
}

export function showEntry(folder: Buffer, { name, mode, changedAt, link, ...rest }: FileEntry): ShownEntry {
  const { kind, sizeBytes, uid, gid } = rest
  const path = Buffer.concat([folder, Buffer.from(folder.at(-1) === slash ? '' : '/'), name])
  return {
    ...{ name: name.toString(), rawPath: rawOf(path), kind, sizeBytes, uid, gid },
    mode: mode.toString(8).padStart(4, '0'),
    changedAt: changedAt.toISOString(),
    link: link && { target: link.target.toString(), leadsTo: link.leadsTo },
  }
}

const slash = 0x2f

/** Null where text says the same. */
function rawOf(bytes: Buffer): string | null {
  return Buffer.from(bytes.toString()).equals(bytes) ? null : bytes.toString('base64url')
}

function cursorOf({ isFolder, name }: NonNullable<FolderPage['next']>): string {
  return Buffer.concat([Buffer.from([isFolder ? 1 : 0]), name]).toString('base64url')
}

export function placeOf(cursor: string): NonNullable<FolderPage['next']> {
  const bytes = Buffer.from(cursor, 'base64url')
  return { isFolder: bytes[0] === 1, name: bytes.subarray(1) }
}
