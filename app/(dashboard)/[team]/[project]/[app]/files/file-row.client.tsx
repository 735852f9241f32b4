'use client'

import { Download, File, FileQuestion, Folder, Link2, type LucideIcon, Trash2 } from 'lucide-react'
import { useLocale, useTranslations } from 'next-intl'
import type { FileEntry, FileKind } from '@/platform/model/files.ts'
import { Button, buttonStyle } from '../../../../../_ui/button.tsx'
import { formatBytes } from '../../../../../_ui/format.ts'
import { RelativeTime } from '../../../../../_ui/relative-time.client.tsx'
import { shownName } from './file-paths.ts'

const icons: Record<FileKind, LucideIcon> = {
  ...{ file: File, folder: Folder, link: Link2 },
  ...{ pipe: FileQuestion, socket: FileQuestion, device: FileQuestion },
}

interface FileRowProps {
  entry: FileEntry
  /** Where a browser downloads it from. */
  address: string
  onOpen(): void
  onDelete(): void
}

export function FileRow({ entry, address, onOpen, onDelete }: FileRowProps) {
  const t = useTranslations('files')
  const locale = useLocale()
  const { kind, sizeBytes, mode, uid, gid, changedAt, link } = entry
  const name = shownName(entry.name)
  const is = link === null ? kind : link.leadsTo
  const Icon = icons[kind]
  const canDownload = is === 'file' || is === 'folder'
  return (
    <tr className="border-t">
      <td className="py-2 pr-3 pl-4">
        <span className="flex min-w-0 items-start gap-2.5">
          <Icon aria-hidden className="mt-0.5 size-4 shrink-0 text-muted" />
          <span className="min-w-0">
            {is === 'folder' ? (
              <button
                type="button"
                onClick={onOpen}
                className="-my-1 break-all rounded py-1 text-left font-medium hover:underline"
              >
                <bdi>{name}</bdi>
              </button>
            ) : (
              <bdi className="break-all">{name}</bdi>
            )}
            {link !== null && (
              <span className="block break-all text-muted text-xs">
                {t(link.leadsTo === null ? 'linkToNothing' : 'linkTo', { target: shownName(link.target) })}
              </span>
            )}
            {kind !== 'file' && kind !== 'folder' && kind !== 'link' && (
              <span className="block text-muted text-xs">{t(`kind.${kind}`)}</span>
            )}
            <span className="block text-muted text-xs sm:hidden">
              {kind === 'file' && `${formatBytes(sizeBytes, locale)} · `}
              <RelativeTime at={changedAt} />
            </span>
          </span>
        </span>
      </td>
      <td className="whitespace-nowrap px-3 py-2 text-right tabular-nums max-sm:hidden">
        {kind === 'file' ? formatBytes(sizeBytes, locale) : ''}
      </td>
      <td className="whitespace-nowrap px-3 py-2 font-mono text-[13px] text-muted max-md:hidden">{mode}</td>
      <td className="whitespace-nowrap px-3 py-2 font-mono text-[13px] text-muted max-md:hidden">
        {uid}:{gid}
      </td>
      <td className="whitespace-nowrap px-3 py-2 text-muted max-sm:hidden">
        <RelativeTime at={changedAt} />
      </td>
      <td className="py-1 pr-3 pl-1">
        <span className="flex justify-end gap-1">
          {canDownload && (
            <a
              href={address}
              download
              aria-label={t('downloadOf', { name })}
              className={buttonStyle({ tone: 'ghost', size: 'icon' })}
            >
              <Download aria-hidden />
            </a>
          )}
          <Button tone="ghost" size="icon" aria-label={t('deleteOf', { name })} onClick={onDelete}>
            <Trash2 aria-hidden />
          </Button>
        </span>
      </td>
    </tr>
  )
}
