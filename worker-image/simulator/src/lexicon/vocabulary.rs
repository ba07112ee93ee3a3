//! Words for things: domains with their categories, attributes and sizes; colours, brands, prices, counters.

use super::Word;

/// One domain of the catalog. Attribute axes are, by position, the questions a product of this domain answers
/// (material, origin, function, style and the like); a product has one word of each.
pub(crate) struct Domain {
    /// The name, first node of the category path.
    pub(crate) name: Word,
    /// Leaf categories.
    pub(crate) categories: [Word; 4],
    /// Attribute axes with their values; values of different axes of one domain differ.
    pub(crate) axes: [[Word; 5]; 4],
    /// Values of the size axis, in the order of size.
    pub(crate) sizes: [Word; 5],
}

/// The domains of preset `mini`.
pub(crate) const DOMAINS: [Domain; 8] = [
    Domain {
        name: "床品",
        categories: ["枕头", "被子", "床垫", "床单"],
        axes: [
            ["乳胶", "纯棉", "蚕丝", "羽绒", "亚麻"],
            ["泰国", "新疆", "苏州", "日本", "国产"],
            ["护颈", "抗菌", "防螨", "透气", "保暖"],
            ["简约", "北欧", "卡通", "古典", "碎花"],
        ],
        sizes: ["1.2米", "1.5米", "1.8米", "2.0米", "加大"],
    },
    Domain {
        name: "家电",
        categories: ["电饭煲", "吹风机", "加湿器", "台灯"],
        axes: [
            ["不锈钢", "陶瓷", "塑料", "玻璃", "铝合金"],
            ["静音", "定时", "预约", "无线", "智能"],
            ["节能", "大功率", "便携", "防烫", "易清洗"],
            ["复古", "极简", "科技", "可爱", "奢华"],
        ],
        sizes: ["2升", "3升", "4升", "5升", "6升"],
    },
    Domain {
        name: "美妆",
        categories: ["面霜", "精华", "口红", "洗面奶"],
        axes: [
            ["玻尿酸", "烟酰胺", "氨基酸", "维C", "胶原"],
            ["保湿", "美白", "抗皱", "控油", "修护"],
            ["干皮", "油皮", "敏感肌", "混合皮", "通用"],
            ["法国", "韩国", "瑞士", "澳洲", "意大利"],
        ],
        sizes: ["30ml", "50ml", "100ml", "150ml", "200ml"],
    },
    Domain {
        name: "母婴",
        categories: ["奶瓶", "纸尿裤", "婴儿车", "积木"],
        axes: [
            ["硅胶", "实木", "棉柔", "食品级", "竹纤维"],
            ["防胀气", "防漏", "可折叠", "益智", "超薄"],
            ["新生儿", "半岁", "周岁", "两岁", "三岁"],
            ["耐摔", "可水洗", "无荧光", "轻便", "减震"],
        ],
        sizes: ["S码", "M码", "L码", "XL码", "XXL码"],
    },
    Domain {
        name: "服饰",
        categories: ["连衣裙", "衬衫", "运动鞋", "双肩包"],
        axes: [
            ["真丝", "牛仔", "雪纺", "针织", "帆布"],
            ["修身", "宽松", "高腰", "短款", "长款"],
            ["通勤", "法式", "韩版", "国潮", "街头"],
            ["春季", "夏季", "秋季", "冬季", "四季"],
        ],
        sizes: ["36码", "37码", "38码", "39码", "40码"],
    },
    Domain {
        name: "食品",
        categories: ["茶叶", "坚果", "咖啡", "饼干"],
        axes: [
            ["原味", "蜂蜜", "抹茶", "可可", "海盐"],
            ["云南", "福建", "浙江", "越南", "巴西"],
            ["无糖", "低脂", "有机", "高蛋白", "无添加"],
            ["礼盒", "罐装", "袋装", "独立装", "家庭装"],
        ],
        sizes: ["100克", "250克", "500克", "750克", "1000克"],
    },
    Domain {
        name: "运动",
        categories: ["帐篷", "瑜伽垫", "头盔", "鱼竿"],
        axes: [
            ["碳素", "尼龙", "橡胶", "铝杆", "泡沫"],
            ["防水", "防晒", "防滑", "速开", "透风"],
            ["露营", "健身", "骑行", "登山", "海钓"],
            ["新手", "专业", "儿童", "女士", "男士"],
        ],
        sizes: ["单人", "双人", "三人", "四人", "多人"],
    },
    Domain {
        name: "文教",
        categories: ["钢笔", "笔记本", "吉他", "拼图"],
        axes: [
            ["金属", "木质", "树脂", "皮质", "纸质"],
            ["商务", "文艺", "动漫", "国风", "清新"],
            ["顺滑", "加厚", "耐用", "静谧", "立体"],
            ["办公", "练字", "收藏", "送礼", "考试"],
        ],
        sizes: ["迷你", "小号", "中号", "大号", "特大"],
    },
];

/// Values of the colour axis.
pub(crate) const COLOURS: [Word; 10] =
    ["白色", "黑色", "灰色", "蓝色", "红色", "粉色", "绿色", "黄色", "紫色", "棕色"];

/// Words that merchants add to a title for no reason a buyer cares about.
pub(crate) const FLOURISHES: [Word; 8] =
    ["新款", "正品", "热卖", "包邮", "官方", "爆款", "特价", "升级"];

/// Brands, invented for this project.
#[rustfmt::skip]
pub(crate) const BRANDS: [Word; 64] = [
    "澜栖", "澜纳", "澜柏", "澜朵", "澜屿", "澜格", "澜帆", "澜绒",
    "峪栖", "峪纳", "峪柏", "峪朵", "峪屿", "峪格", "峪帆", "峪绒",
    "禾栖", "禾纳", "禾柏", "禾朵", "禾屿", "禾格", "禾帆", "禾绒",
    "砚栖", "砚纳", "砚柏", "砚朵", "砚屿", "砚格", "砚帆", "砚绒",
    "霁栖", "霁纳", "霁柏", "霁朵", "霁屿", "霁格", "霁帆", "霁绒",
    "棠栖", "棠纳", "棠柏", "棠朵", "棠屿", "棠格", "棠帆", "棠绒",
    "汀栖", "汀纳", "汀柏", "汀朵", "汀屿", "汀格", "汀帆", "汀绒",
    "岑栖", "岑纳", "岑柏", "岑朵", "岑屿", "岑格", "岑帆", "岑绒",
];

/// The ladder of prices in yuan: every price of the shop and every budget stands on it, so that each is one word.
#[rustfmt::skip]
pub(crate) const PRICES: [(u32, Word); 32] = [
    (19, "¥19"), (29, "¥29"), (39, "¥39"), (49, "¥49"), (59, "¥59"), (69, "¥69"), (79, "¥79"), (89, "¥89"),
    (99, "¥99"), (119, "¥119"), (139, "¥139"), (159, "¥159"), (179, "¥179"), (199, "¥199"), (229, "¥229"), (259, "¥259"),
    (299, "¥299"), (349, "¥349"), (399, "¥399"), (459, "¥459"), (499, "¥499"), (559, "¥559"), (599, "¥599"), (699, "¥699"),
    (799, "¥799"), (899, "¥899"), (999, "¥999"), (1199, "¥1199"), (1399, "¥1399"), (1599, "¥1599"), (1999, "¥1999"), (2499, "¥2499"),
];

/// Row numbers of a result page.
pub(crate) const ROWS: [Word; 10] = ["#1", "#2", "#3", "#4", "#5", "#6", "#7", "#8", "#9", "#10"];

/// The turn counter: how many turns remain, from 1. One word whatever the limit is.
#[rustfmt::skip]
pub(crate) const REMAINING: [Word; 40] = [
    "剩1轮", "剩2轮", "剩3轮", "剩4轮", "剩5轮", "剩6轮", "剩7轮", "剩8轮", "剩9轮", "剩10轮",
    "剩11轮", "剩12轮", "剩13轮", "剩14轮", "剩15轮", "剩16轮", "剩17轮", "剩18轮", "剩19轮", "剩20轮",
    "剩21轮", "剩22轮", "剩23轮", "剩24轮", "剩25轮", "剩26轮", "剩27轮", "剩28轮", "剩29轮", "剩30轮",
    "剩31轮", "剩32轮", "剩33轮", "剩34轮", "剩35轮", "剩36轮", "剩37轮", "剩38轮", "剩39轮", "剩40轮",
];
