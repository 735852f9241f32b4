'use client'

import { useTranslations } from 'next-intl'
import type { FileEntry } from '@/platform/model/files.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { Notice } from '../../../../../_ui/notice.tsx'
import { RowsSkeleton } from '../../../../../_ui/skeleton.tsx'
import { useProblemText } from '../../../../../_ui/use-problem-text.ts'
import { FileRow } from './file-row.client.tsx'
import type { Folder } from './use-folder.ts'

interface FolderViewProps {
  folder: Folder
  onOpen(entry: FileEntry): void
  onDelete(entry: FileEntry): void
  addressOf(entry: FileEntry): string
}

/** What is in a folder; why it can't be shown; that nothing is in it. */
export function FolderView({ folder, onOpen, onDelete, addressOf }: FolderViewProps) {
  const t = useTranslations('files')
  const problemText = useProblemText()
  const { state, reload, more } = folder
  if (state.kind === 'loading')
    return (
      <div className="border-t" aria-busy>
        <RowsSkeleton rows={4} isInside />
      </div>
    )
  if (state.kind === 'refused')
    return (
      <div className="space-y-3 border-t p-4">
        <Notice tone="danger">{problemText.of(state.problem)}</Notice>
        <Button size="small" onClick={reload}>
          {t('again')}
        </Button>
      </div>
    )
  const { data, isCut } = state.listing
  if (data.length === 0) return <p className="border-t px-4 py-12 text-center text-muted">{t('empty')}</p>
  const head = 'px-3 py-2 font-medium'
  return (
    <>
      <table className="w-full border-t text-left">
        <caption className="sr-only">{t('listOf', { path: state.listing.path })}</caption>
        <thead className="text-muted text-xs">
          <tr>
            <th scope="col" className={`${head} w-1/2 pl-4`}>
              {t('name')}
            </th>
            <th scope="col" className={`${head} text-right max-sm:hidden`}>
              {t('size')}
            </th>
            <th scope="col" className={`${head} max-md:hidden`}>
              {t('mode')}
            </th>
            <th scope="col" className={`${head} max-md:hidden`}>
              {t('owner')}
            </th>
            <th scope="col" className={`${head} max-sm:hidden`}>
              {t('changed')}
            </th>
            <th scope="col">
              <span className="sr-only">{t('actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {data.map((entry) => (
            <FileRow
              key={entry.rawPath ?? entry.name}
              entry={entry}
              address={addressOf(entry)}
              onOpen={() => onOpen(entry)}
              onDelete={() => onDelete(entry)}
            />
          ))}
        </tbody>
      </table>
      {more !== null && (
        <div className="border-t p-3 text-center">
          <Button size="small" onClick={more}>
            {t('more')}
          </Button>
        </div>
      )}
      {isCut && (
        <Notice tone="warning" className="m-3">
          {t('cut')}
        </Notice>
      )}
    </>
  )
}
