// The emoji names that bots often use, as characters. Unknown names stay `:name:`; this keeps the
// tables of node-emoji (340 kB) out of the bundle.
const names = `
+1👍 -1👎 100💯 adult🧑 airplane✈️ alarm_clock⏰ alien👽 ambulance🚑 anchor⚓ angry😠 arrow_down⬇️
arrow_forward▶️ arrow_left⬅️ arrow_right➡️ arrow_up⬆️ arrows_counterclockwise🔄 art🎨 ballot_box_with_check☑️
bangbang‼️ bar_chart📊 battery🔋 beers🍻 bell🔔 bird🐦 black_circle⚫ black_large_square⬛ blue_book📘 blue_heart💙
blush😊 bomb💣 book📖 bookmark🔖 books📚 boom💥 broken_heart💔 bug🐛 building_construction🏗️ bulb💡 bust_in_silhouette👤
cake🍰 calendar📅 camera📷 card_index📇 chart_with_downwards_trend📉 chart_with_upwards_trend📈 checkered_flag🏁
clap👏 clipboard📋 clock1🕐 clock3🕒 closed_lock_with_key🔐 cloud☁️ coffee☕ computer💻 confetti_ball🎊 confused😕
construction🚧 cry😢 crystal_ball🔮 cyclone🌀 dart🎯 date📅 deciduous_tree🌳 dizzy💫 dog🐶 door🚪 double_vertical_bar⏸️
e-mail📧 earth_africa🌍 electric_plug🔌 email✉️ envelope✉️ exclamation❗ exploding_head🤯 eye👁️ eyes👀 face_with_monocle🧐
facepalm🤦 fast_forward⏩ file_cabinet🗄️ file_folder📁 fire🔥 fire_engine🚒 fireworks🎆 first_place_medal🥇 fishing_pole_and_fish🎣
flashlight🔦 floppy_disk💾 four_leaf_clover🍀 gear⚙️ gem💎 ghost👻 gift🎁 globe_with_meridians🌐 grey_exclamation❕
grey_question❔ grimacing😬 grin😁 grinning😀 hammer🔨 hammer_and_wrench🛠️ hand✋ handshake🤝 hash#️⃣ heart❤️
heart_eyes😍 heavy_check_mark✔️ heavy_exclamation_mark❗ heavy_minus_sign➖ heavy_multiplication_x✖️ heavy_plus_sign➕
hourglass⌛ hourglass_flowing_sand⏳ house🏠 inbox_tray📥 information_source ℹ️ interrobang⁉️ jack_o_lantern🎃 joy😂
key🔑 label🏷️ ladder🪜 large_blue_circle🔵 large_green_circle🟢 large_green_square🟩 large_orange_circle🟠
large_purple_circle🟣 large_red_square🟥 large_yellow_circle🟡 large_yellow_square🟨 laughing😆 link🔗 lock🔒 loudspeaker📢
mag🔍 mag_right🔎 mailbox📫 mega📣 memo📝 microscope🔬 moneybag💰 muscle💪 necktie👔 nerd_face🤓 neutral_face😐
new🆕 no_bell🔕 no_entry⛔ no_entry_sign🚫 octagonal_sign🛑 ok🆗 ok_hand👌 open_file_folder📂 orange_circle🟠 outbox_tray📤
package📦 page_facing_up📄 paperclip📎 partying_face🥳 pause_button⏸️ pencil📝 pencil2✏️ point_down👇 point_left👈
point_right👉 point_up☝️ pray🙏 purple_heart💜 pushpin📌 question❓ rabbit🐰 rage😡 railway_car🚃 rainbow🌈 raised_hand✋
raised_hands🙌 recycle♻️ red_circle🔴 relaxed☺️ repeat🔁 rewind⏪ robot_face🤖 rocket🚀 rotating_light🚨 round_pushpin📍
runner🏃 satellite📡 scream😱 scroll📜 see_no_evil🙈 seedling🌱 sheep🐑 shield🛡️ ship🚢 shrug🤷 skull💀 sleeping😴
slightly_smiling_face🙂 smile😄 smiley😃 smirk😏 snail🐌 snake🐍 snowflake❄️ sob😭 soon🔜 sos🆘 sparkles✨
speech_balloon💬 star⭐ star2🌟 stop_sign🛑 black_square_for_stop⏹️ stopwatch⏱️ strawberry🍓 sunglasses😎 sunny☀️ sweat😓
sweat_smile😅 tada🎉 technologist🧑‍💻 telephone☎️ telescope🔭 test_tube🧪 thinking_face🤔 thought_balloon💭 thumbsdown👎
thumbsup👍 ticket🎫 timer_clock⏲️ toolbox🧰 tools🛠️ traffic_light🚥 triangular_flag_on_post🚩 trophy🏆 truck🚚 turtle🐢
twisted_rightwards_arrows🔀 umbrella☔ unicorn_face🦄 unlock🔓 upside_down_face🙃 v✌️ vertical_traffic_light🚦 wand🪄
warning⚠️ wastebasket🗑️ watch⌚ wave👋 weary😩 whale🐳 wheelchair♿ white_check_mark✅ white_circle⚪ white_large_square⬜
wind_blowing_face🌬️ wink😉 women-running🏃‍♀️ wrench🔧 writing_hand✍️ x❌ yawning_face🥱 yellow_heart💛 yum😋 zap⚡
zipper_mouth_face🤐 zzz💤`;

const table = new Map<string, string>();
for (const [, name, sign] of names.matchAll(/([a-z0-9_+-]+) ?([^\sa-z]+)/g))
  table.set(name!, sign!);

export function emojiOf(name: string): string | undefined {
  return table.get(name.split("::")[0]!);
}

// Replaces node-emoji's function of this name for the library (see vite.config.ts).
export function emojify(whole: string, or: { fallback: (whole: string) => string }): string {
  return emojiOf(whole.replace(/^:|:$/g, "")) ?? or.fallback(whole);
}
