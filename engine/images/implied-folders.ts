import { chmod, chown, lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

interface Folder {
  root: string
  uid: number
  gid: number
  mode: number
}

/**
 * Gives the folders that a layer only implies the owner and mode that they have in the layers below, which they would
 * hide otherwise. Links on the way are not followed, neither here nor there: they would lead out of the layer.
 * @param below folders of the layers below, topmost first
 */
export async function adoptMetadata(staged: string, implied: string[], below: string[]): Promise<void> {
  const findHere = folderFinder([staged])
  const findBelow = folderFinder(below)
  for (const path of implied) {
    const [here] = await findHere(path)
    const [top] = here ? await findBelow(path) : []
    if (!top) continue
    const target = join(staged, path)
    await chown(target, top.uid, top.gid)
    await chmod(target, top.mode & 0o7777)
  }
}

/** Finds the roots below which a path is a plain folder all the way; it looks only where the parent is one. */
function folderFinder(roots: string[]): (path: string) => Promise<Folder[]> {
  const known = new Map<string, Promise<Folder[]>>()

  async function look(path: string): Promise<Folder[]> {
    const parent = dirname(path)
    const candidates = parent === '.' ? roots : (await find(parent)).map(({ root }) => root)
    const all = await Promise.all(
      candidates.map(async (root) => {
        const found = await lstat(join(root, path)).catch(() => null)
        return found?.isDirectory() ? { root, uid: found.uid, gid: found.gid, mode: found.mode } : null
      }),
    )
    return all.filter((one) => one !== null)
  }

  function find(path: string): Promise<Folder[]> {
    const found = known.get(path) ?? look(path)
    known.set(path, found)
    return found
  }

  return find
}
