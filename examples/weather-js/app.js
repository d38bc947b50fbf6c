// Two tools: one calls an API, the other knows who is signed in.

import { http, serve, tool, ToolError } from "gatehouse-sdk";
import { z } from "zod";

const PLACES = "https://geocoding-api.open-meteo.com/v1/search";
const FORECAST = "https://api.open-meteo.com/v1/forecast";

const weather = tool({
  name: "weather",
  description: "The weather in a city, now.",
  input: z.object({ city: z.string().describe("Such as Oslo") }),
  output: z.object({
    city: z.string(),
    temperature: z.number().describe("In degrees Celsius"),
    wind: z.number().describe("In km/h"),
  }),
  readOnly: true,
  run: async ({ city }) => {
    const found = await http.get(PLACES, { params: { name: city, count: 1 } });
    const [place] = found.throwForStatus().json().results ?? [];
    if (!place) throw new ToolError(`There is no city “${city}”.`);
    const { name, latitude, longitude } = place;
    const params = { latitude, longitude, current: "temperature_2m,wind_speed_10m" };
    const now = (await http.get(FORECAST, { params })).throwForStatus().json().current;
    return { city: name, temperature: now.temperature_2m, wind: now.wind_speed_10m };
  },
});

const whoami = tool({
  name: "whoami",
  description: "Says who is signed in.",
  scopes: ["userinfo"],
  readOnly: true,
  run: (_, { caller }) => `You are ${caller.profile.name ?? caller.subject}.`,
});

export default serve({ name: "weather", title: "Weather", version: "1.0.0", tools: [weather, whoami] });
