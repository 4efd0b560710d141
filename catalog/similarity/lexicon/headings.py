"""Words that head a column, a row or a blank of any form, and alone ask for nothing.

See `catalog.similarity.wording`; as parts of a longer wording they say what every word says.
"""

HEADINGS = """
项目 指标 名称 名字 村名 单位 序号 编号 编码 代码 行次 备注 说明 其他 其它 其中 累计 金额 面积 长度 里程
日期 时间 年份 年度 月份 类别 类型 种类 分类 性质 级别 等级 状态 地址 地点 位置 区划 行政区划 行政区域
负责人 联系人 填表人 填报人 填报单位 审核人 电话 联系电话 联系方式 签字 签名 盖章 本年 本期 上年 上期
期初 期末 年初 年末 增减 同比 来源 内容 方式 程度 部门
"""
ENGLISH_HEADINGS = """
item name unit number no code remark note other date time year month type kind category class grade
level state address place phone telephone contact amount area length source sign signature
"""
