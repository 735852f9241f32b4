import type { FetchedCommit } from './git.ts'

/** Control and formatting characters do something to whoever reads them in a terminal. */
const plain = (text: string) => text.replace(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, 300)

/** What commitCommand says, line by line. */
export function readCommit([sha = '', at = '', author = '', ...subject]: string[]): FetchedCommit {
  return { sha, author: plain(author), subject: plain(subject.join(' ')), at: new Date(at) }
}
