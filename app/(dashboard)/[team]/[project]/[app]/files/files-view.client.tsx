'use client'

import { FolderOpen, RefreshCw, Upload } from 'lucide-react'
import { useLocale, useTranslations } from 'next-intl'
import { useMemo, useRef, useState } from 'react'
import { type FileEntry, mostFileBytes } from '@/platform/model/files.ts'
import { Button } from '../../../../../_ui/button.tsx'
import { cn } from '../../../../../_ui/cn.ts'
import { formatBytes } from '../../../../../_ui/format.ts'
import { SelectField } from '../../../../../_ui/select.client.tsx'
import { type FilePath, filesOf } from './ask-files.ts'
import { DeleteDialog } from './delete-dialog.client.tsx'
import { childOf, rootPath } from './file-paths.ts'
import { FolderView } from './folder-view.client.tsx'
import { NewFolderButton } from './new-folder-button.client.tsx'
import { UploadList } from './upload-list.client.tsx'
import { useFolder } from './use-folder.ts'
import { useUploads } from './use-uploads.ts'
import { useWhere } from './use-where.ts'
import { WayTo } from './way-to.tsx'

export interface FilePlace {
  /** Of a container or a volume. */
  id: string
  kind: 'container' | 'volume'
  label: string
}

/** Files of one of the app's containers or volumes. Where one is stands in the address. */
export function FilesView({ appId, places }: { appId: string; places: [FilePlace, ...FilePlace[]] }) {
  const t = useTranslations('files')
  const locale = useLocale()
  const [where, goTo] = useWhere()
  const input = useRef<HTMLInputElement>(null)
  const [isOver, setOver] = useState(false)
  const [deleting, setDeleting] = useState<FileEntry | null>(null)
  // One that ended while the page is open is no choice any more.
  const { id, kind } = places.find((each) => each.id === where.place) ?? places[0]
  const at: FilePath = id === where.place || where.place === null ? where.at : rootPath
  const files = useMemo(
    () => (kind === 'volume' ? filesOf(`/volumes/${id}`, null) : filesOf(`/apps/${appId}`, id)),
    [appId, id, kind],
  )
  const folder = useFolder(files, at)
  const uploads = useUploads(folder.reload)
  const { state } = folder
  const here = state.kind === 'shown' ? state.listing : at
  const pathOf = (entry: FileEntry): FilePath =>
    entry.rawPath === null
      ? childOf(here, entry.name)
      : { path: childOf(here, entry.name).path, rawPath: entry.rawPath }

  function send(list: FileList | null): void {
    uploads.add(
      files,
      [...(list ?? [])].map((file) => ({ at: childOf(here, file.name), file })),
    )
  }

  return (
    <section
      aria-label={t('title')}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes('Files')) return
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false)
      }}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        send(event.dataTransfer.files)
      }}
      className={cn('rounded-xl border bg-surface shadow-card', isOver && 'border-accent bg-accent-soft')}
    >
      <div className="flex flex-wrap items-end gap-2 px-4 py-3">
        <SelectField
          className="min-w-56 max-sm:w-full"
          label={t('place')}
          value={id}
          onValueChange={(place) => goTo({ place, at: rootPath })}
          items={places.map(({ id: value, label }) => ({ value, label }))}
        />
        <div className="ml-auto flex flex-wrap gap-2 max-sm:ml-0">
          <Button
            tone="ghost"
            size="icon"
            className="size-9"
            aria-label={t('reload')}
            onClick={folder.reload}
          >
            <RefreshCw aria-hidden />
          </Button>
          <NewFolderButton files={files} folder={here} onDone={folder.reload} />
          <Button tone="primary" onClick={() => input.current?.click()}>
            <Upload aria-hidden />
            {t('uploadButton')}
          </Button>
        </div>
        <input
          ref={input}
          type="file"
          multiple
          aria-label={t('chooseFiles')}
          tabIndex={-1}
          className="sr-only"
          onChange={(event) => {
            send(event.currentTarget.files)
            event.currentTarget.value = ''
          }}
        />
      </div>
      <WayTo at={here} label={t('way')} rootLabel={t('root')} onGo={(to) => goTo({ place: id, at: to })} />
      <UploadList uploads={uploads} />
      <FolderView
        folder={folder}
        onOpen={(entry) => goTo({ place: id, at: pathOf(entry) })}
        onDelete={setDeleting}
        addressOf={(entry) => files.addressOf(pathOf(entry))}
      />
      <p className="flex items-start gap-2 border-t px-4 py-2.5 text-muted text-xs">
        <FolderOpen aria-hidden className="mt-px size-3.5 shrink-0" />
        {t(kind === 'volume' ? 'hintVolume' : 'hintContainer', { limit: formatBytes(mostFileBytes, locale) })}
      </p>
      {deleting !== null && (
        <DeleteDialog
          entry={deleting}
          remove={(recursive) => files.remove(pathOf(deleting), recursive)}
          onClose={() => setDeleting(null)}
          onDone={folder.reload}
        />
      )}
    </section>
  )
}
