// Finds a Node.js that is new enough for a client that needs more than the one at hand.
import { existsSync } from "node:fs";
import { packaged } from "./opener.mjs";

/** The path of a Node.js of at least `major`.`minor`: this one, or the one that package.json brings. */
export function newerNode(major, minor = 0) {
  const [ownMajor, ownMinor] = process.versions.node.split(".").map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return process.execPath;
  const platform = process.platform === "win32" ? "win" : process.platform;
  const binary = packaged(`node-${platform}-${process.arch}/bin/node${process.platform === "win32" ? ".exe" : ""}`);
  if (existsSync(binary)) return binary;
  throw new Error(`this client needs Node.js ${major}.${minor} or later, and this is ${process.versions.node}`);
}
