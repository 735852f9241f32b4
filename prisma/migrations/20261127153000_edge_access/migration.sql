-- AlterTable
ALTER TABLE "apps" ADD COLUMN     "edgeAccess" JSONB;
