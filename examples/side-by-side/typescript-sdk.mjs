// The tools of ../weather-js with the TypeScript SDK 2, without a login: that is what would stand in front of the handler.

import { createMcpHandler, McpServer, requireScopes } from "@modelcontextprotocol/server";
import { z } from "zod";

const PLACES = "https://geocoding-api.open-meteo.com/v1/search";
const FORECAST = "https://api.open-meteo.com/v1/forecast";

async function get(url, params) {
  const response = await fetch(`${url}?${new URLSearchParams(params)}`);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}

function createServer() {
  const server = new McpServer({ name: "weather", title: "Weather", version: "1.0.0" });

  server.registerTool(
    "weather",
    {
      description: "The weather in a city, now.",
      inputSchema: z.object({ city: z.string().describe("Such as Oslo") }),
      outputSchema: z.object({
        city: z.string(),
        temperature: z.number().describe("In degrees Celsius"),
        wind: z.number().describe("In km/h"),
      }),
      annotations: { readOnlyHint: true },
    },
    async ({ city }) => {
      const { results = [] } = await get(PLACES, { name: city, count: 1 });
      const [place] = results;
      if (!place) throw new Error(`There is no city “${city}”.`);
      const { name, latitude, longitude } = place;
      const params = { latitude, longitude, current: "temperature_2m,wind_speed_10m" };
      const { current: now } = await get(FORECAST, params);
      const output = { city: name, temperature: now.temperature_2m, wind: now.wind_speed_10m };
      return { content: [{ type: "text", text: JSON.stringify(output) }], structuredContent: output };
    },
  );

  server.registerTool(
    "whoami",
    {
      description: "Says who is signed in.",
      annotations: { readOnlyHint: true },
      scopeChallenge: requireScopes("userinfo"),
    },
    async ({ http }) => {
      const { clientId, extra } = http.authInfo;
      return { content: [{ type: "text", text: `You are ${extra?.name ?? extra?.sub ?? clientId}.` }] };
    },
  );

  return server;
}

export default createMcpHandler(createServer);
