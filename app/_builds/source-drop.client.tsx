'use client'

import { FileUp } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useRef, useState } from 'react'
import { Button } from '../_ui/button.tsx'
import { cn } from '../_ui/cn.ts'
import { type BrowserFolder, chosenFolder, droppedFolder } from './browser-folder.ts'

interface SourceDropProps {
  /** How large an archive may be, in words. */
  limit: string
  onArchive(file: File): void
  onFolder(folder: BrowserFolder): void
  /** More than one thing was dropped. */
  onSeveral(): void
}

/** Where a folder or an archive of it is dropped, or chosen. */
export function SourceDrop({ limit, onArchive, onFolder, onSeveral }: SourceDropProps) {
  const t = useTranslations('upload')
  const archive = useRef<HTMLInputElement>(null)
  const folder = useRef<HTMLInputElement>(null)
  const [isOver, setOver] = useState(false)

  function drop({ items, files }: DataTransfer): void {
    const [item, ...more] = [...items].filter(({ kind }) => kind === 'file')
    const dropped = item === undefined ? null : droppedFolder(item)
    const [file] = files
    if (more.length > 0) onSeveral()
    else if (dropped !== null) onFolder(dropped)
    else if (file !== undefined) onArchive(file)
  }

  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: whoever can't drop has the buttons in it */}
      <div
        data-over={isOver || undefined}
        onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault()
          setOver(false)
          drop(event.dataTransfer)
        }}
        className={cn(
          'flex w-full flex-col items-center gap-1.5 rounded-xl border-2 border-border-strong/60 border-dashed px-4 py-8 text-center',
          'data-over:border-accent data-over:bg-accent-soft',
        )}
      >
        <FileUp aria-hidden className="size-6 text-muted" />
        <p className="font-medium">{t('drop')}</p>
        <p className="max-w-md text-muted text-[13px]">{t('kinds', { limit })}</p>
        <div className="mt-2 flex flex-wrap justify-center gap-2">
          <Button size="small" onClick={() => folder.current?.click()}>
            {t('folder')}
          </Button>
          <Button size="small" onClick={() => archive.current?.click()}>
            {t('archive')}
          </Button>
        </div>
      </div>
      <input
        ref={archive}
        type="file"
        aria-label={t('file')}
        tabIndex={-1}
        accept=".zip,.tar,.gz,.tgz"
        className="sr-only"
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? []
          event.currentTarget.value = ''
          if (file !== undefined) onArchive(file)
        }}
      />
      <input
        ref={(input) => {
          folder.current = input
          if (input !== null) input.webkitdirectory = true
        }}
        type="file"
        aria-label={t('folderFile')}
        tabIndex={-1}
        className="sr-only"
        onChange={(event) => {
          const chosen = chosenFolder([...(event.currentTarget.files ?? [])])
          event.currentTarget.value = ''
          if (chosen !== null) onFolder(chosen)
        }}
      />
    </>
  )
}
