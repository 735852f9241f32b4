-- CreateEnum
CREATE TYPE "ChannelKind" AS ENUM ('email', 'webhook', 'slack', 'discord');

-- CreateEnum
CREATE TYPE "DeliveryStatus" AS ENUM ('waiting', 'delivered', 'failed');

-- CreateTable
CREATE TABLE "app_events" (
    "id" TEXT NOT NULL,
    "appId" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "event" JSONB NOT NULL,
    "actor" TEXT,
    "actorName" TEXT,
    "key" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "app_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notification_channels" (
    "id" TEXT NOT NULL,
    "teamId" TEXT NOT NULL,
    "kind" "ChannelKind" NOT NULL,
    "name" TEXT NOT NULL,
    "sealedUrl" TEXT,
    "urlHint" TEXT,
    "sealedSecret" TEXT,
    "userIds" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "eventKinds" TEXT[],
    "projectIds" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "appIds" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    "failingSince" TIMESTAMP(3),
    "pausedUntil" TIMESTAMP(3),
    "lastArrivedAt" TIMESTAMP(3),
    "disabledAt" TIMESTAMP(3),
    "gaveUp" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "notification_channels_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notification_deliveries" (
    "id" TEXT NOT NULL,
    "channelId" TEXT NOT NULL,
    "message" JSONB NOT NULL,
    "kind" TEXT NOT NULL,
    "status" "DeliveryStatus" NOT NULL DEFAULT 'waiting',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "log" JSONB NOT NULL DEFAULT '[]',
    "nextAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finishedAt" TIMESTAMP(3),

    CONSTRAINT "notification_deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "app_events_appId_id_idx" ON "app_events"("appId", "id");

-- CreateIndex
CREATE INDEX "app_events_appId_kind_id_idx" ON "app_events"("appId", "kind", "id");

-- CreateIndex
CREATE INDEX "app_events_createdAt_idx" ON "app_events"("createdAt");

-- CreateIndex
CREATE UNIQUE INDEX "app_events_appId_key_key" ON "app_events"("appId", "key");

-- CreateIndex
CREATE INDEX "notification_channels_teamId_id_idx" ON "notification_channels"("teamId", "id");

-- CreateIndex
CREATE INDEX "notification_deliveries_channelId_id_idx" ON "notification_deliveries"("channelId", "id");

-- CreateIndex
CREATE INDEX "notification_deliveries_status_nextAt_idx" ON "notification_deliveries"("status", "nextAt");

-- CreateIndex
CREATE INDEX "notification_deliveries_createdAt_idx" ON "notification_deliveries"("createdAt");

-- AddForeignKey
ALTER TABLE "app_events" ADD CONSTRAINT "app_events_appId_fkey" FOREIGN KEY ("appId") REFERENCES "apps"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_channels" ADD CONSTRAINT "notification_channels_teamId_fkey" FOREIGN KEY ("teamId") REFERENCES "teams"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_deliveries" ADD CONSTRAINT "notification_deliveries_channelId_fkey" FOREIGN KEY ("channelId") REFERENCES "notification_channels"("id") ON DELETE CASCADE ON UPDATE CASCADE;
